/** What a shop answered, as the HTTP Request node hands it on: a full response, its body as text. */
import type { IDataObject } from 'n8n-workflow';

import { asObject } from '../../../../shared/problem';

export interface ShopAnswer extends IDataObject {
	status: number;
	headers: IDataObject;
	body: string;
}

function textOf(value: unknown): string {
	if (typeof value === 'string') return value;
	return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** An item without a status is one of the error output: the shop did not answer (status 0). */
export function answerOf(item: IDataObject): ShopAnswer {
	const status = Number(item.statusCode);
	if (!Number.isInteger(status) || status < 100 || status > 999) {
		return { status: 0, headers: {}, body: '' };
	}
	return { status, headers: asObject(item.headers), body: textOf(item.data ?? item.body) };
}
