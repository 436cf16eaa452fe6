/**
 * Parameters shared by several operations, and how they are read. An empty text parameter means
 * "take it from the item": a workflow then needs no expression, and n8n builds no isolate for it.
 */
import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { asObject } from '../../shared/problem';

/** The value at a dot path such as "data.address"; the whole document for an empty path. */
export function valueAt(document: unknown, path: string): unknown {
	if (path === '') return document;
	return path.split('.').reduce<unknown>((value, key) => {
		if (typeof value !== 'object' || value === null) return undefined;
		return Object.hasOwn(value, key) ? (value as IDataObject)[key] : undefined;
	}, document);
}

/** The first of several comma-separated paths that holds a text or a number. */
export function textAt(document: unknown, paths: string): string | undefined {
	for (const path of paths.split(',').map((part) => part.trim())) {
		const value = path === '' ? undefined : valueAt(document, path);
		if (typeof value === 'string' && value !== '') return value;
		if (typeof value === 'number') return String(value);
	}
	return undefined;
}

/** All texts and numbers at a dot path; lists on the way stand for each of their entries. */
export function valuesAt(document: unknown, path: string): string[] {
	const [key, ...rest] = path.split('.');
	if (Array.isArray(document)) return document.flatMap((entry) => valuesAt(entry, path));
	if (key === undefined || typeof document !== 'object' || document === null) return [];
	const value = Object.hasOwn(document, key) ? (document as IDataObject)[key] : undefined;
	if (rest.length > 0) return valuesAt(value, rest.join('.'));
	const entries: unknown[] = Array.isArray(value) ? value : [value];
	return entries.flatMap((entry) =>
		(typeof entry === 'string' && entry !== '') || typeof entry === 'number' ? [String(entry)] : [],
	);
}

/** How the editor calls a parameter: "orderId" is "Order ID". */
export function labelOf(parameter: string): string {
	const words = parameter.replace(/([A-Z])/g, ' $1').replace(/ Id$/, ' ID');
	return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The parameter, or the first of the item's fields that is filled. */
export function textOf(
	context: IExecuteFunctions,
	itemIndex: number,
	parameter: string,
	itemFields: string,
): string {
	const given = String(context.getNodeParameter(parameter, itemIndex, '') ?? '').trim();
	if (given !== '') return given;
	const found = textAt(context.getInputData()[itemIndex]?.json, itemFields);
	if (found !== undefined) return found;
	throw new NodeOperationError(context.getNode(), `The parameter "${labelOf(parameter)}" is empty`, {
		description: `Fill it, or give the item a field ${itemFields.split(',').join(' or ')}.`,
		itemIndex,
	});
}

/** The object at the path in the item, for calls whose body is a document of the item. */
export function documentOf(
	context: IExecuteFunctions,
	itemIndex: number,
	parameter: string,
): IDataObject {
	const path = context.getNodeParameter(parameter, itemIndex, '') as string;
	const found = asObject(valueAt(context.getInputData()[itemIndex]?.json, path.trim()));
	if (Object.keys(found).length > 0) return found;
	throw new NodeOperationError(
		context.getNode(),
		path === '' ? 'The item is empty' : `The item holds no object at "${path}"`,
		{ description: `Name its place in the parameter "${labelOf(parameter)}".`, itemIndex },
	);
}

const FROM_ITEM = 'Leave empty to take it from the item, from the field';

export const orderIdField: INodeProperties = {
	displayName: 'Order ID',
	name: 'orderId',
	type: 'string',
	default: '',
	placeholder: 'e.g. ord_01h...',
	description: `ID of the order in Kette. ${FROM_ITEM} order_id.`,
};

export const exceptionIdField: INodeProperties = {
	displayName: 'Exception ID',
	name: 'exceptionId',
	type: 'string',
	default: '',
	placeholder: 'e.g. exc_01h...',
	description: `ID of the entry in the exception list. ${FROM_ITEM} exception_id or ID.`,
};

export const byField: INodeProperties = {
	displayName: 'By',
	name: 'by',
	type: 'string',
	default: '',
	placeholder: 'e.g. warehouse@my-shop.example',
	description: `Who decided this, as it will stand in the history of the order. ${FROM_ITEM} by.`,
};

export const whyField: INodeProperties = {
	displayName: 'Why',
	name: 'why',
	type: 'string',
	default: '',
	placeholder: 'e.g. customer called',
	description: `The reason, as it will stand in the history of the order. ${FROM_ITEM} why.`,
};

/** Whose shape an order in the item has. */
export const orderSystemField: INodeProperties = {
	displayName: 'System ID',
	name: 'systemId',
	type: 'string',
	default: '',
	placeholder: 'e.g. woo-main',
	description: `ID of the shop in the setup file, whose order format this is. ${FROM_ITEM} system_id.`,
};

export const orderDocumentField: INodeProperties = {
	displayName: 'Order Field',
	name: 'orderField',
	type: 'string',
	default: '',
	placeholder: 'e.g. body',
	description: 'Where in the item the order is. Leave empty if the item is the order.',
};

export const returnAllField: INodeProperties = {
	displayName: 'Return All',
	name: 'returnAll',
	type: 'boolean',
	default: false,
	description: 'Whether to return all results or only up to a given limit',
};

export const limitField: INodeProperties = {
	displayName: 'Limit',
	name: 'limit',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 50,
	description: 'Max number of results to return',
	displayOptions: { show: { returnAll: [false] } },
};

export function orderIdOf(context: IExecuteFunctions, itemIndex: number): string {
	return textOf(context, itemIndex, 'orderId', 'order_id');
}

export function orderSystemOf(context: IExecuteFunctions, itemIndex: number): string {
	return textOf(context, itemIndex, 'systemId', 'system_id');
}

export function exceptionIdOf(context: IExecuteFunctions, itemIndex: number): string {
	return textOf(context, itemIndex, 'exceptionId', 'exception_id,id');
}

export function byAndWhy(context: IExecuteFunctions, itemIndex: number): IDataObject {
	return {
		by: textOf(context, itemIndex, 'by', 'by'),
		why: textOf(context, itemIndex, 'why', 'why'),
	};
}

export function limitOf(context: IExecuteFunctions, itemIndex: number): number {
	return context.getNodeParameter('returnAll', itemIndex, false)
		? Infinity
		: (context.getNodeParameter('limit', itemIndex, 50) as number);
}
