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

type GetPairedItem = (
	destination: string,
	source: ISourceData | null,
	paired: IPairedItemData,
) => INodeExecutionData | null | undefined;

const ACTION_SOURCE = /(^|\.)(kette|ketteTrigger|executeWorkflowTrigger)$/;

/** A whole action, as pushed or leased. A vendor's answer has no such set of fields. */
export function isAction(json: IDataObject): boolean {
	return (
		typeof json.key === 'string' &&
		typeof json.kind === 'string' &&
		typeof json.idempotency_key === 'string'
	);
}

/** An item that says itself what became of its action, as "Collect Results" makes them. */
export function isResult(json: IDataObject): boolean {
	return typeof json.key === 'string' && (json.status === 'done' || json.status === 'failed');
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

function pairingsOf(item: INodeExecutionData): IPairedItemData[] {
	const paired = item.pairedItem;
	if (paired === undefined) return [];
	return (Array.isArray(paired) ? paired : [paired]).map((one) =>
		typeof one === 'number' ? { item: one } : one,
	);
}

function follow(
	getPairedItem: GetPairedItem,
	item: INodeExecutionData,
	sources: string[],
	inputs: Array<ISourceData | null>,
): Match | undefined {
	for (const name of sources) {
		for (const pairing of pairingsOf(item)) {
			try {
				const found = getPairedItem(name, inputs[pairing.input ?? 0] ?? null, pairing);
				const match = found ? matchIn(found.json) : undefined;
				if (match) return match;
			} catch {
				// n8n throws where there is no way back to this node; another source may have one.
				continue;
			}
		}
	}
	return undefined;
}

/** The action of each item, undefined where none can be found. */
export function findKeys(
	context: IExecuteFunctions,
	items: INodeExecutionData[],
	actionsFrom: string,
): Array<Match | undefined> {
	if (items.every((item) => isAction(item.json) || isResult(item.json))) {
		return items.map((item) => matchIn(item.json));
	}
	const proxy = context.getWorkflowDataProxy(0) as { $getPairedItem: GetPairedItem };
	const inputs = context.getExecuteData().source?.main ?? [];
	const sources = sourcesOf(context, actionsFrom);
	const linked = items.map((item) => follow(proxy.$getPairedItem, item, sources, inputs));
	const keysOfRun = new Set(linked.flatMap((match) => (match ? [match.key] : [])));
	return items.map((item, index) => chooseMatch(item.json, linked[index], keysOfRun));
}
