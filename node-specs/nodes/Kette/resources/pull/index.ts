import type { Resource } from '../../operation';
import { operation as next } from './next';

export const pull: Resource = {
	option: { name: 'Pull', value: 'pull' },
	operations: [next],
};
