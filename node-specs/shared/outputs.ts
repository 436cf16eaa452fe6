/**
 * Named outputs: one per kind, in the order of the service's table, and a last one for the rest.
 *
 * outputs.json holds one table per major version of the nodes. A kind that the service learns later is
 * appended in a new version; workflows saved with an older one keep their outputs where they were, and
 * the new kind leaves through "Other".
 */
import type { ExpressionString, INodeExecutionData, INodePropertyOptions } from 'n8n-workflow';

import tables from './outputs.json';

interface KindTable {
	stages: Record<string, string[]>;
	events: string[];
}

const TABLES: Record<string, KindTable> = tables;
const LATEST = '2';

function tableOf(version: number): KindTable {
	return TABLES[String(Math.floor(version))] ?? (TABLES[LATEST] as KindTable);
}

/** "create_shipment" -> "Create Shipment". */
export function labelOf(kind: string): string {
	return kind
		.split('_')
		.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
		.join(' ');
}

export function stageKinds(version: number, stage: string): string[] {
	return tableOf(version).stages[stage] ?? [];
}

export function eventKinds(version: number): string[] {
	return tableOf(version).events;
}

function asOptions(names: string[]): INodePropertyOptions[] {
	return names.map((name) => ({ name: labelOf(name), value: name }));
}

export const STAGE_OPTIONS = asOptions(Object.keys(tableOf(Number(LATEST)).stages));
export const EVENT_OPTIONS = asOptions(eventKinds(Number(LATEST)));

/** Puts each item on the output of its kind; unknown kinds go to the last output. */
export function spread(
	items: INodeExecutionData[],
	kinds: string[],
	kindOf: (item: INodeExecutionData) => unknown,
): INodeExecutionData[][] {
	const outputs: INodeExecutionData[][] = [...kinds, 'other'].map(() => []);
	for (const item of items) {
		const index = kinds.indexOf(String(kindOf(item)));
		outputs[index === -1 ? kinds.length : index]?.push(item);
	}
	return outputs;
}

/** The tables with labels as a literal. "}}" would end the n8n expression, hence the spaces. */
function labelsLiteral(): string {
	const labelled: Record<string, Record<string, string[]>> = {};
	for (const [version, table] of Object.entries(TABLES)) {
		const row: Record<string, string[]> = { '*': table.events.map(labelOf) };
		for (const [stage, kinds] of Object.entries(table.stages)) row[stage] = kinds.map(labelOf);
		labelled[version] = row;
	}
	return JSON.stringify(labelled).replace(/}/g, '} ');
}

const NAMED =
	"((names) => names.concat(['Other']).map((name) => ({ type: 'main', displayName: name } )))";
const ROW = `((${labelsLiteral()} )[Math.floor($nodeVersion)] || {} )`;

export const TRIGGER_OUTPUTS: ExpressionString = `={{ ${NAMED}(${ROW}[$parameter.listenTo === 'events' ? '*' : $parameter.stage] || []) }}`;

export const KETTE_OUTPUTS: ExpressionString = `={{ $parameter.resource === 'event' && $parameter.operation === 'ingest' ? [{ type: 'main', displayName: 'Accepted' } , { type: 'main', displayName: 'Rejected' } ] : $parameter.resource === 'action' && $parameter.operation === 'bundle' ? [{ type: 'main', displayName: 'Bundled' } , { type: 'main', displayName: 'Single' } ] : $parameter.resource === 'pull' ? [{ type: 'main', displayName: 'Ask' } , { type: 'main', displayName: 'Ended' } ] : $parameter.resource === 'action' && $parameter.operation === 'lease' && $parameter.outputMode === 'byKind' ? ${NAMED}(${ROW}[$parameter.stage] || []) : ['main'] }}`;
