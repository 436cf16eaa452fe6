import type { INodeExecutionData } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import type { Operation } from '../../operation';
import { failedItem, listOf, withItem } from '../../operation';
import { chunksOf } from './chunks';
import { gather, lostItems, resultFields } from './gather';

const MAX_RESULTS = 500;
const TIMEOUT_MS = 60_000;

export const operation: Operation = {
	option: {
		name: 'Report',
		value: 'report',
		action: 'Report actions',
		description: 'Tell the service what became of the actions, all items in one call',
	},
	properties: resultFields,
	run: async (context, items) => {
		const { results, pairingOf, lost } = gather(context, items);
		const out: INodeExecutionData[] = [];
		for (const chunk of chunksOf(results, MAX_RESULTS)) {
			try {
				const body = { results: chunk };
				const answer = await call(context, 'action.report', { body, timeoutMs: TIMEOUT_MS });
				for (const json of listOf(answer, 'results')) {
					out.push({ json, pairedItem: pairingOf(String(json.key)) });
				}
			} catch (error) {
				const touched = chunk.flatMap(({ key }) => pairingOf(key).map(({ item }) => item));
				if (!context.continueOnFail()) throw withItem(context, error, touched[0] ?? 0);
				out.push(...touched.map((itemIndex) => failedItem(error, itemIndex)));
			}
		}
		return [[...out, ...lostItems(context, lost)]];
	},
};
