import type { Operation } from '../../operation';
import { gather, lostItems, resultFields } from './gather';

export const operation: Operation = {
	option: {
		name: 'Collect Results',
		value: 'collect',
		action: 'Collect results of actions',
		description:
			'Make one result per action without reporting it: the last step of a sub-workflow whose caller reports',
	},
	properties: resultFields,
	run: async (context, items) => {
		const { results, pairingOf, lost } = gather(context, items);
		const out = results.map((json) => ({ json, pairedItem: pairingOf(json.key) }));
		return [[...out, ...lostItems(context, lost)]];
	},
};
