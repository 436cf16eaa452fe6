import type { IDataObject } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import { asObject } from '../../../../shared/problem';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

/**
 * The Error Trigger's item, cut to what the exception list shows: no stack and no node data, which
 * may hold a customer's address. A workflow that could not start has a trigger error and no execution.
 */
export function failedRun(item: IDataObject): IDataObject {
	const workflow = asObject(item.workflow);
	const execution = asObject(item.execution);
	const error = asObject(execution.error ?? asObject(item.trigger).error);
	const node = asObject(error.node).name ?? execution.lastNodeExecuted;
	return {
		kind: 'run_failed',
		workflow: { id: workflow.id ?? null, name: workflow.name ?? null },
		execution: {
			id: execution.id ?? null,
			url: execution.url ?? null,
			error: {
				message: typeof error.message === 'string' ? error.message : 'No message',
				node: { name: node ?? null },
			},
			lastNodeExecuted: execution.lastNodeExecuted ?? null,
		},
	};
}

export const operation: Operation = {
	option: {
		name: 'Report Failed Run',
		value: 'reportFailedRun',
		action: 'Report failed run',
		description: 'Put the item of an Error Trigger on the exception list',
	},
	properties: [
		{
			displayName: 'System ID',
			name: 'systemId',
			type: 'string',
			default: 'n8n',
			required: true,
			description: 'ID of this n8n, as in the setup file of the service',
		},
	],
	run: perItem(async (context, item, itemIndex) => ({
		json: await call(context, 'event.reportFailedRun', {
			path: { system_id: context.getNodeParameter('systemId', itemIndex, 'n8n') as string },
			body: failedRun(item.json),
			itemIndex,
		}),
	})),
};
