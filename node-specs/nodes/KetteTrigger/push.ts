/** What the service sends: a batch of actions of one stage, or a batch of one kind of event. */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

export interface Listening {
	listenTo: 'stage' | 'events';
	stage: string;
	events: string[];
}

export type Push =
	| { ok: true; items: INodeExecutionData[]; kindOf: (item: INodeExecutionData) => unknown }
	| { ok: false; status: number; detail: string };

function malformed(detail: string): Push {
	return { ok: false, status: 400, detail };
}

function isObject(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(raw: Buffer): unknown {
	try {
		return JSON.parse(raw.toString('utf8'));
	} catch {
		return undefined;
	}
}

function readActions(push: IDataObject, pushId: string, stage: string): Push {
	if (push.stage !== stage) {
		return {
			ok: false,
			status: 409,
			detail: `This workflow listens to the stage "${stage}", the push is for "${String(push.stage)}"`,
		};
	}
	const { actions } = push;
	if (!Array.isArray(actions)) return malformed('"actions" is missing');
	const items: INodeExecutionData[] = [];
	for (const action of actions as unknown[]) {
		if (!isObject(action) || typeof action.key !== 'string' || typeof action.kind !== 'string') {
			return malformed('An action without key or kind');
		}
		items.push({ json: { ...action, push_id: pushId } });
	}
	return { ok: true, items, kindOf: (item) => item.json.kind };
}

function readEvents(push: IDataObject, pushId: string): Push {
	const { event, items } = push;
	if (typeof event !== 'string') return malformed('"event" is missing');
	if (!Array.isArray(items) || !(items as unknown[]).every(isObject)) {
		return malformed('"items" is missing or holds something that is no object');
	}
	return {
		ok: true,
		items: (items as IDataObject[]).map((entry) => ({
			json: { ...entry, event, push_id: pushId },
		})),
		kindOf: () => event,
	};
}

/** A push is taken whole or refused whole: a half-taken batch could not be sent again safely. */
export function readPush(raw: Buffer, listening: Listening): Push {
	const push = parseJson(raw);
	if (!isObject(push)) return malformed('The body is no JSON object');
	if (typeof push.push_id !== 'string') return malformed('"push_id" is missing');
	return listening.listenTo === 'events'
		? readEvents(push, push.push_id)
		: readActions(push, push.push_id, listening.stage);
}
