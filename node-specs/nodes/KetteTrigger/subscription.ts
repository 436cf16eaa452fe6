/**
 * The service's side of the trigger. Id and secret live in the node's static data: they belong to
 * this n8n alone, so an exported workflow carries no secret and registers itself where it is published.
 */
import type { IDataObject, IHookFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import { call, callIfThere } from '../../shared/api';
import type { Listening } from './push';

export interface Subscription extends IDataObject {
	subscriptionId?: string;
	secret?: string;
}

export function listeningOf(parameters: { getNodeParameter(name: string): unknown }): Listening {
	const listenTo = parameters.getNodeParameter('listenTo') === 'events' ? 'events' : 'stage';
	return listenTo === 'events'
		? { listenTo, stage: '', events: parameters.getNodeParameter('events') as string[] }
		: { listenTo, stage: parameters.getNodeParameter('stage') as string, events: [] };
}

function sameInterest(found: IDataObject, wanted: Listening): boolean {
	if (wanted.listenTo === 'stage') return found.stage === wanted.stage;
	const events = Array.isArray(found.events) ? (found.events as string[]) : [];
	return events.length === wanted.events.length && wanted.events.every((e) => events.includes(e));
}

/** Compares as well where it points and what for: a workflow may have been edited in between. */
export async function isSubscribed(context: IHookFunctions): Promise<boolean> {
	const known = context.getWorkflowStaticData('node') as Subscription;
	if (!known.subscriptionId || !known.secret) return false;
	const path = { id: known.subscriptionId };
	const found = await callIfThere(context, 'subscription.get', { path });
	if (!found) return false;
	const url = context.getNodeWebhookUrl('default');
	return found.url === url && sameInterest(found, listeningOf(context));
}

export async function subscribe(context: IHookFunctions): Promise<boolean> {
	const listening = listeningOf(context);
	const answer = await call(context, 'subscription.create', {
		body: {
			url: context.getNodeWebhookUrl('default') ?? '',
			...(listening.listenTo === 'stage'
				? { stage: listening.stage }
				: { events: listening.events }),
			name: `${context.getWorkflow().name ?? 'n8n'} / ${context.getNode().name}`,
		},
	});
	if (typeof answer.id !== 'string' || typeof answer.secret !== 'string') {
		throw new NodeOperationError(context.getNode(), 'The Kette service made no subscription', {
			description: 'Its answer holds no ID or no secret. Check that the Base URL is the service.',
		});
	}
	const known = context.getWorkflowStaticData('node') as Subscription;
	known.subscriptionId = answer.id;
	known.secret = answer.secret;
	return true;
}

/** A subscription that is gone already is the aim. One that could not be removed stays known. */
export async function unsubscribe(context: IHookFunctions): Promise<boolean> {
	const known = context.getWorkflowStaticData('node') as Subscription;
	if (!known.subscriptionId) return true;
	await callIfThere(context, 'subscription.delete', { path: { id: known.subscriptionId } });
	delete known.subscriptionId;
	delete known.secret;
	return true;
}
