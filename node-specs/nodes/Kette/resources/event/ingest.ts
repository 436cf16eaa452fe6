import { NodeOperationError } from 'n8n-workflow';
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { CALLS, isSuccess, pathOf, send } from '../../../../shared/api';
import { asObject, isObject, problemError, strangerError } from '../../../../shared/problem';
import { valueAt } from '../../fields';
import type { Operation } from '../../operation';
import { failedItem, withItem } from '../../operation';
import { forwardedHeaders } from './headers';

// 4xx by number, but about the moment and not about the request: sending again may succeed.
const TRANSIENT = new Set([408, 425, 429]);

/** A refusal is an answer for the vendor, so it is an output and no error of this node. */
export function isRejection(statusCode: number): boolean {
	return statusCode >= 400 && statusCode < 500 && !TRANSIENT.has(statusCode);
}

async function rawBody(
	context: IExecuteFunctions,
	item: INodeExecutionData,
	itemIndex: number,
): Promise<Buffer> {
	const property = context.getNodeParameter('binaryPropertyName', itemIndex, 'data') as string;
	if (!item.binary?.[property]) {
		throw new NodeOperationError(context.getNode(), `The item has no binary "${property}"`, {
			description:
				'Switch on "Raw Body" in the options of the Webhook node: signatures cover bytes.',
			itemIndex,
		});
	}
	return await context.helpers.getBinaryDataBuffer(itemIndex, property);
}

async function ingest(context: IExecuteFunctions, item: INodeExecutionData, itemIndex: number) {
	const headersField = context.getNodeParameter('headersField', itemIndex, 'headers') as string;
	const systemId = context.getNodeParameter('systemId', itemIndex) as string;
	return await send(
		context,
		{
			method: CALLS['event.ingest'].method,
			url: pathOf('event.ingest', { system_id: systemId }),
			headers: forwardedHeaders(asObject(valueAt(item.json, headersField))),
			body: await rawBody(context, item, itemIndex),
		},
		itemIndex,
	);
}

export const operation: Operation = {
	option: {
		name: 'Ingest',
		value: 'ingest',
		action: 'Ingest event',
		description: "Hand a shop's or provider's request to the service, byte by byte",
	},
	properties: [
		{
			displayName: 'System ID',
			name: 'systemId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. woo-main',
			description: 'ID of the sending system, as in the setup file of the service',
		},
		{
			displayName: 'Input Binary Field',
			name: 'binaryPropertyName',
			type: 'string',
			default: 'data',
			required: true,
			hint: 'The name of the input binary field containing the raw body',
			description: 'The Webhook node puts it there when its option "Raw Body" is on',
		},
		{
			displayName: 'Headers Field',
			name: 'headersField',
			type: 'string',
			default: 'headers',
			required: true,
			description:
				'Where in the item the headers of the request are. Signature headers are forwarded; host, cookies, authorization and the like are not.',
		},
	],
	run: async (context, items) => {
		const accepted: INodeExecutionData[] = [];
		const rejected: INodeExecutionData[] = [];
		for (const [itemIndex, item] of items.entries()) {
			try {
				const { statusCode, body } = await ingest(context, item, itemIndex);
				const pairedItem = { item: itemIndex };
				if (isSuccess(statusCode)) {
					// Else another server's page would tell the vendor that its event is stored.
					if (!isObject(body)) throw strangerError(context.getNode(), itemIndex);
					accepted.push({ json: body, pairedItem });
				} else if (isRejection(statusCode)) {
					rejected.push({ json: { statusCode, ...asObject(body) }, pairedItem });
				} else throw problemError(context.getNode(), statusCode, body, itemIndex);
			} catch (error) {
				if (!context.continueOnFail()) throw withItem(context, error, itemIndex);
				accepted.push(failedItem(error, itemIndex));
			}
		}
		return [accepted, rejected];
	},
};
