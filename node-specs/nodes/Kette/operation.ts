/** What an operation is, and how operations of a resource become n8n properties. */
import { NodeApiError, NodeOperationError, updateDisplayOptions } from 'n8n-workflow';
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';

export interface Operation {
	option: INodePropertyOptions & { value: string; action: string };
	properties: INodeProperties[];
	run: (context: IExecuteFunctions, items: INodeExecutionData[]) => Promise<INodeExecutionData[][]>;
}

export interface Resource {
	option: INodePropertyOptions & { value: string };
	operations: Operation[];
}

function firstOperation(resource: Resource): string {
	return resource.operations[0]?.option.value ?? '';
}

/** The operation selector of a resource and the fields of each of its operations. */
export function propertiesOf(resource: Resource): INodeProperties[] {
	const shown = { resource: [resource.option.value] };
	return [
		{
			displayName: 'Operation',
			name: 'operation',
			type: 'options',
			noDataExpression: true,
			displayOptions: { show: shown },
			options: resource.operations.map((operation) => operation.option),
			default: firstOperation(resource),
		},
		...resource.operations.flatMap((operation) =>
			updateDisplayOptions(
				{ show: { ...shown, operation: [operation.option.value] } },
				operation.properties,
			),
		),
	];
}

/** Keeps n8n's own errors, with the item they belong to; wraps whatever else was thrown. */
export function withItem(
	context: IExecuteFunctions,
	error: unknown,
	itemIndex: number,
): NodeApiError | NodeOperationError {
	if (error instanceof NodeApiError || error instanceof NodeOperationError) {
		error.context.itemIndex ??= itemIndex;
		return error;
	}
	const cause = error instanceof Error ? error : String(error);
	return new NodeOperationError(context.getNode(), cause, { itemIndex });
}

/** The item for a failed call when the node is set to continue; n8n moves it to the error output. */
export function failedItem(error: unknown, itemIndex: number): INodeExecutionData {
	const message = error instanceof Error ? error.message : String(error);
	const description = (error as { description?: unknown } | undefined)?.description;
	const told = typeof description === 'string' && description !== '' ? `: ${description}` : '';
	return { json: { error: `${message}${told}` }, pairedItem: { item: itemIndex } };
}

export type ItemAnswer = INodeExecutionData | INodeExecutionData[];

/** Runs one call per item and keeps the pairing; one output. */
export function perItem(
	answer: (
		context: IExecuteFunctions,
		item: INodeExecutionData,
		itemIndex: number,
	) => Promise<ItemAnswer>,
): Operation['run'] {
	return async (context, items) => {
		const out: INodeExecutionData[] = [];
		for (const [itemIndex, item] of items.entries()) {
			try {
				const answered = await answer(context, item, itemIndex);
				for (const one of Array.isArray(answered) ? answered : [answered]) {
					out.push({ ...one, pairedItem: { item: itemIndex } });
				}
			} catch (error) {
				if (!context.continueOnFail()) throw withItem(context, error, itemIndex);
				out.push(failedItem(error, itemIndex));
			}
		}
		return [out];
	};
}

/** The objects in a list answer such as {"items": [...]}. */
export function listOf(answer: IDataObject, field: string): IDataObject[] {
	const list = answer[field];
	return Array.isArray(list) ? (list as IDataObject[]) : [];
}
