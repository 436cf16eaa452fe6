import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { CALLS, isSuccess, pathOf, send } from '../../../../shared/api';
import { problemError } from '../../../../shared/problem';
import { textAt } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

/**
 * The number in "/v1/invoices/RE-2026-000001.pdf". The path comes from an item, so only this shape is
 * accepted: the call carries the API key and must not go anywhere else.
 */
export function numberInPath(path: string | undefined): string | undefined {
	const match = /^\/v1\/invoices\/([^/?#]+)\.pdf$/.exec(path ?? '');
	return match?.[1] === undefined ? undefined : decodeURIComponent(match[1]);
}

function parsed(body: unknown): unknown {
	if (!Buffer.isBuffer(body)) return body;
	try {
		return JSON.parse(body.toString('utf8'));
	} catch {
		return {};
	}
}

async function download(
	context: IExecuteFunctions,
	json: IDataObject,
	itemIndex: number,
): Promise<{ content: Buffer; fileName: string }> {
	const field = context.getNodeParameter('pdfField', itemIndex, 'data.pdf') as string;
	const number = numberInPath(textAt(json, `${field},pdf`));
	if (number === undefined) {
		throw new NodeOperationError(context.getNode(), `The item holds no PDF path at "${field}"`, {
			description:
				'It looks like /v1/invoices/<number>.pdf and comes with the action or from Issue.',
			itemIndex,
		});
	}
	const answer = await send(
		context,
		{
			method: CALLS['document.pdf'].method,
			url: pathOf('document.pdf', { number }),
			headers: { Accept: 'application/pdf, application/problem+json' },
			encoding: 'arraybuffer',
		},
		itemIndex,
	);
	if (!isSuccess(answer.statusCode)) {
		throw problemError(context.getNode(), answer.statusCode, parsed(answer.body), itemIndex);
	}
	const fileName = textAt(json, 'data.file_name,file_name') ?? `${number}.pdf`;
	return { content: Buffer.from(answer.body as ArrayBuffer), fileName };
}

export const operation: Operation = {
	option: {
		name: 'Download PDF',
		value: 'downloadPdf',
		action: 'Download document as PDF',
		description: 'Get the file of an invoice or credit note for archive or mail',
	},
	properties: [
		{
			displayName: 'PDF Field',
			name: 'pdfField',
			type: 'string',
			default: 'data.pdf',
			required: true,
			description: 'Where in the item the path of the PDF is; the field "pdf" is tried as well',
		},
		{
			displayName: 'Put Output File in Field',
			name: 'binaryPropertyName',
			type: 'string',
			default: 'data',
			required: true,
			hint: 'The name of the output binary field to put the file in',
		},
	],
	run: perItem(async (context, item, itemIndex) => {
		const property = context.getNodeParameter('binaryPropertyName', itemIndex, 'data') as string;
		const { content, fileName } = await download(context, item.json, itemIndex);
		const binary = await context.helpers.prepareBinaryData(content, fileName, 'application/pdf');
		return { json: item.json, binary: { ...item.binary, [property]: binary } };
	}),
};
