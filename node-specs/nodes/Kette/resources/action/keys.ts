/**
 * To which action does an item belong? A vendor's answer carries no key, so the item is followed
 * back, by n8n's item linking, to the action it was made from.
 *
 * The data proxy is asked directly. `$('Node').item` would do the same, but it computes this node's
 * dynamic outputs on the way, and that costs an expression isolate.
 */
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	IPairedItemData,
	ISourceData,
} from 'n8n-workflow';

export interface Match {
	key: string;
	leaseId?: string;
}

/** The part of n8n's data proxy that is used here. */
export interface RunData {
	$getPairedItem: (
		destination: string,
		source: ISourceData | null,
		paired: IPairedItemData,
	) => INodeExecutionData | null | undefined;
	$items: (nodeName: string, outputIndex: number, runIndex: number) => INodeExecutionData[];
}

const MAX_OUTPUTS = 32;
const LATEST_RUN = -1;
const ACTION_SOURCE = /(^|\.)(kette|ketteTrigger|executeWorkflowTrigger)$/;

/** A whole action, as pushed or leased. A vendor's answer has no such set of fields. */
export function isAction(json: IDataObject | undefined): boolean {
	return (
		typeof json?.key === 'string' &&
		typeof json.kind === 'string' &&
		typeof json.idempotency_key === 'string'
	);
}

/** An item that says itself what became of its action, as "Collect Results" makes them. */
export function isResult(json: IDataObject): boolean {
	return typeof json.key === 'string' && (json.status === 'done' || json.status === 'failed');
}

function isUntouched(item: INodeExecutionData): boolean {
	return !item.json.error && (isAction(item.json) || isResult(item.json));
}

export function matchIn(json: IDataObject): Match | undefined {
	if (typeof json.key !== 'string' || json.key === '') return undefined;
	return typeof json.lease_id === 'string' && json.lease_id !== ''
		? { key: json.key, leaseId: json.lease_id }
		: { key: json.key };
}

/**
 * The item's own key counts where it is sure to be ours: the item is an action or a result, or the
 * key is that of an action of this run, or nothing else is known. Vendors have keys of their own
 * (an issue tracker's "SHOP-12"), and those must not hide the action behind the item.
 */
export function chooseMatch(
	json: IDataObject,
	linked: Match | undefined,
	keysOfRun: ReadonlySet<string>,
): Match | undefined {
	const own = matchIn(json);
	if (!own || !linked || own.key === linked.key) return linked ?? own;
	return isAction(json) || isResult(json) || keysOfRun.has(own.key) ? own : linked;
}

/** Names of the nodes that hand out actions: the given ones, or every candidate upstream. */
function sourcesOf(context: IExecuteFunctions, actionsFrom: string): string[] {
	const given = actionsFrom
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '');
	if (given.length > 0) return given;
	const own = context.getNode().name;
	return context
		.getParentNodes(own)
		.filter((node) => node.name !== own && ACTION_SOURCE.test(node.type))
		.map((node) => node.name);
}

function pairingsOf(item: INodeExecutionData | undefined): IPairedItemData[] {
	const paired = item?.pairedItem;
	if (paired === undefined) return [];
	return (Array.isArray(paired) ? paired : [paired]).map((one) =>
		typeof one === 'number' ? { item: one } : one,
	);
}

/** n8n throws where there is no way, no such output, no such run. Here that is an answer. */
function attempt<T>(ask: () => T): T | undefined {
	try {
		return ask();
	} catch {
		return undefined;
	}
}

function follow(
	run: RunData,
	item: INodeExecutionData,
	sources: string[],
	inputs: Array<ISourceData | null>,
): Match | undefined {
	for (const name of sources) {
		for (const pairing of pairingsOf(item)) {
			const source = inputs[pairing.input ?? 0] ?? null;
			const found = attempt(() => run.$getPairedItem(name, source, pairing));
			const match = found ? matchIn(found.json) : undefined;
			if (match) return match;
		}
	}
	return undefined;
}

/**
 * A node that fails once for all its items (a sub-workflow that cannot be started) puts one error
 * item out, linked to all of them and carrying the fields of the first. All of them failed. They are
 * looked up at the node before: on the output whose items fit the links and hold that first action.
 */
export function sharedFailure(
	run: RunData,
	item: INodeExecutionData,
	inputs: Array<ISourceData | null>,
	parentsOf: (nodeName: string) => string[],
): Match[] {
	const [own] = pairingsOf(item);
	const source = inputs[own?.input ?? 0];
	if (!own || !source || !item.json.error || typeof item.json.key !== 'string') return [];
	const emitted = attempt(() =>
		run.$items(source.previousNode, source.previousNodeOutput ?? 0, source.previousNodeRun ?? 0),
	);
	const links = pairingsOf(emitted?.[own.item]);
	const first = links[0];
	if (links.length < 2 || !first) return [];
	for (const parent of parentsOf(source.previousNode)) {
		for (let output = 0; output < MAX_OUTPUTS; output++) {
			const candidates = attempt(() => run.$items(parent, output, LATEST_RUN));
			if (candidates === undefined) break;
			if (candidates?.[first.item]?.json.key !== item.json.key) continue;
			return links.flatMap((link) => matchIn(candidates[link.item]?.json ?? {}) ?? []);
		}
	}
	return [];
}

/** The actions that each item is the answer to, for items that come from Action: Bundle. */
export function findBundles(
	context: IExecuteFunctions,
	items: INodeExecutionData[],
): Array<IDataObject[] | undefined> {
	const run = context.getWorkflowDataProxy(0) as RunData;
	const inputs = context.getExecuteData().source?.main ?? [];
	const sources = sourcesOf(context, '');
	return items.map((item) => {
		for (const name of sources) {
			for (const pairing of pairingsOf(item)) {
				const source = inputs[pairing.input ?? 0] ?? null;
				const found = attempt(() => run.$getPairedItem(name, source, pairing));
				const actions: unknown = found?.json.actions;
				if (Array.isArray(actions) && actions.length > 0) return actions as IDataObject[];
			}
		}
		return undefined;
	});
}

/** The actions of each item: one as a rule, several for a shared failure, none if it has no link. */
export function findKeys(
	context: IExecuteFunctions,
	items: INodeExecutionData[],
	actionsFrom: string,
): Match[][] {
	if (items.every((item) => isUntouched(item))) {
		return items.map((item) => [matchIn(item.json) ?? []].flat());
	}
	const run = context.getWorkflowDataProxy(0) as RunData;
	const inputs = context.getExecuteData().source?.main ?? [];
	const sources = sourcesOf(context, actionsFrom);
	const parentsOf = (name: string) =>
		context.getParentNodes(name, { depth: 1 }).map((node) => node.name);
	const linked = items.map((item) => follow(run, item, sources, inputs));
	const keysOfRun = new Set(linked.flatMap((match) => (match ? [match.key] : [])));
	return items.map((item, index) => {
		const shared = sharedFailure(run, item, inputs, parentsOf);
		if (shared.length > 0) return shared;
		const match = chooseMatch(item.json, linked[index], keysOfRun);
		return match ? [match] : [];
	});
}
