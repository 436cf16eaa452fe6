import type { Resource } from '../../operation';
import { operation as assess } from './assess';

export const risk: Resource = {
	option: { name: 'Risk', value: 'risk' },
	operations: [assess],
};
