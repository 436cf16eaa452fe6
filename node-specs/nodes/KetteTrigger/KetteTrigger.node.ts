import type {
	IHookFunctions,
	INodeType,
	INodeTypeDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';

import {
	EVENT_OPTIONS,
	STAGE_OPTIONS,
	TRIGGER_OUTPUTS,
	eventKinds,
	spread,
	stageKinds,
} from '../../shared/outputs';
import { readPush } from './push';
import { refusal } from './signature';
import { isSubscribed, listeningOf, subscribe, unsubscribe } from './subscription';
import type { Subscription } from './subscription';

export class KetteTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Kette Trigger',
		name: 'ketteTrigger',
		icon: { light: 'file:../../icons/kette.svg', dark: 'file:../../icons/kette.dark.svg' },
		group: ['trigger'],
		// Not 1: for a webhook node of exactly that version n8n evaluates an expression of its own at
		// every call, and that builds an isolate.
		version: [1.1, 2],
		defaultVersion: 2,
		subtitle: '={{$parameter["listenTo"] === "events" ? "events" : $parameter["stage"]}}',
		description:
			'Starts the workflow with the actions of a stage that are due, one output per kind',
		defaults: { name: 'Kette Trigger' },
		usableAsTool: undefined,
		inputs: [],
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'ketteApi', required: true }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				path: 'webhook',
				rawBody: true,
				// Without it n8n ignores the answer that webhook() returns.
				responseData: '',
			},
		],
		properties: [
			{
				displayName: 'Listen To',
				name: 'listenTo',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Events',
						value: 'events',
						description: 'Exceptions opened, statuses changed and alerts, for information only',
					},
					{
						name: 'Stage',
						value: 'stage',
						description: 'Actions of one stage of the chain, to be performed and reported',
					},
				],
				default: 'stage',
			},
			{
				displayName: 'Stage',
				name: 'stage',
				type: 'options',
				noDataExpression: true,
				options: STAGE_OPTIONS,
				default: 'intake',
				description:
					'Which part of the chain this workflow performs; its action kinds are the outputs',
				displayOptions: { show: { listenTo: ['stage'] } },
			},
			{
				displayName: 'Events',
				name: 'events',
				type: 'multiOptions',
				noDataExpression: true,
				options: EVENT_OPTIONS,
				default: ['exception_opened', 'status_changed', 'alert'],
				required: true,
				description: 'Which events to be told; every kind keeps its output even if not selected',
				displayOptions: { show: { listenTo: ['events'] } },
			},
			{
				displayName:
					'Report what became of each action with the Kette node (Action: Report). An action that is not reported comes again when its lease ends.',
				name: 'reportNotice',
				type: 'notice',
				default: '',
				displayOptions: { show: { listenTo: ['stage'] } },
			},
		],
	};

	webhookMethods = {
		default: {
			checkExists: async function (this: IHookFunctions): Promise<boolean> {
				return await isSubscribed(this);
			},
			create: async function (this: IHookFunctions): Promise<boolean> {
				return await subscribe(this);
			},
			delete: async function (this: IHookFunctions): Promise<boolean> {
				return await unsubscribe(this);
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		const { secret } = this.getWorkflowStaticData('node') as Subscription;
		const request = this.getRequestObject();
		if (!request.rawBody) await request.readRawBody();
		const raw = request.rawBody ?? Buffer.alloc(0);
		const refused = secret
			? refusal(this.getHeaderData()['kette-signature'], raw, secret, Math.floor(Date.now() / 1000))
			: 'This workflow holds no secret: publish it again';
		if (refused) return refuse(this, 401, refused);

		const listening = listeningOf(this);
		const push = readPush(raw, listening);
		if (!push.ok) return refuse(this, push.status, push.detail);

		const webhookResponse = { accepted: push.items.length };
		if (push.items.length === 0) return { webhookResponse };
		const version = this.getNode().typeVersion;
		const kinds =
			listening.listenTo === 'events' ? eventKinds(version) : stageKinds(version, listening.stage);
		return { webhookResponse, workflowData: spread(push.items, kinds, push.kindOf) };
	}
}

function refuse(context: IWebhookFunctions, status: number, detail: string): IWebhookResponseData {
	const problem = { type: 'about:blank', title: 'Push refused', status, detail };
	context
		.getResponseObject()
		.status(status)
		.set('content-type', 'application/problem+json')
		.end(JSON.stringify(problem));
	return { noWebhookResponse: true };
}
