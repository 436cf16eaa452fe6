/**
 * The service answers every error as application/problem+json (RFC 9457). This turns such an answer
 * into what n8n shows: the title as the message, the detail and the next step as the description.
 */
import { NodeApiError } from 'n8n-workflow';
import type { IDataObject, INode, JsonObject } from 'n8n-workflow';

export interface ProblemText {
	message: string;
	description: string;
}

const NEXT_STEP: Record<number, string> = {
	401: 'Check the API key in the Kette API credential.',
	403: 'Give the API key a role that may do this (kette keys create --role ...).',
	404: 'Check the ID, and that the Base URL of the credential is the right service.',
	413: 'Send fewer or smaller items at once.',
	429: 'Switch on "Retry On Fail" in the settings of this node.',
};

function reasonText(reason: unknown): string {
	if (typeof reason === 'string') return reason;
	const { field, message } = asObject(reason);
	if (typeof message !== 'string') return JSON.stringify(reason);
	return typeof field === 'string' && field !== '' ? `${field}: ${message}` : message;
}

/** Only what the detail does not say already. */
function reasonsOf(problem: IDataObject, detail: string): string[] {
	if (!Array.isArray(problem.reasons)) return [];
	return problem.reasons.map(reasonText).filter((reason) => !detail.includes(reason));
}

function nextStep(status: number, problem: IDataObject): string {
	const known = NEXT_STEP[status];
	if (known) return known;
	if (problem.retryable === true || status >= 500) {
		return 'Running the node again may succeed: switch on "Retry On Fail" in its settings.';
	}
	return '';
}

/** Reads title, detail and reasons; an answer that is no problem document is named by its status. */
export function problemText(status: number, answer: unknown): ProblemText {
	const problem = asObject(answer);
	const title =
		typeof problem.title === 'string' && problem.title !== '' ? problem.title : undefined;
	const detail = typeof problem.detail === 'string' ? problem.detail : '';
	const code = typeof problem.code === 'string' ? `(${problem.code})` : '';
	return {
		message: title ?? `The Kette service answered with status ${status}`,
		description: [detail, ...reasonsOf(problem, detail), code, nextStep(status, problem)]
			.filter((part) => part !== '')
			.join(' '),
	};
}

export function isObject(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): IDataObject {
	return isObject(value) ? value : {};
}

export function problemError(
	node: INode,
	status: number,
	answer: unknown,
	itemIndex?: number,
): NodeApiError {
	const text = problemText(status, answer);
	return new NodeApiError(node, { ...asObject(answer), status } as JsonObject, {
		...text,
		httpCode: String(status),
		itemIndex,
	});
}

/** No answer at all: refused, timed out, wrong address. */
export function unreachableError(node: INode, error: unknown, itemIndex?: number): NodeApiError {
	const cause = error instanceof Error ? error.message : String(error);
	return new NodeApiError(node, { message: cause } as JsonObject, {
		message: 'The Kette service cannot be reached',
		description: `${cause}. Check that the service runs and that the Base URL of the credential is right.`,
		itemIndex,
	});
}

/** An answer with 200 that is none of the service's: a proxy, or another server. */
export function strangerError(node: INode, itemIndex?: number): NodeApiError {
	return new NodeApiError(node, { message: 'No JSON object' } as JsonObject, {
		message: 'What answered is not the Kette service',
		description:
			'It said 200 without the JSON object that the service sends. Check the Base URL of the Kette API credential, and what stands between n8n and the service.',
		itemIndex,
	});
}
