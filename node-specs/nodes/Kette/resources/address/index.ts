import type { Resource } from '../../operation';
import { operation as normalize } from './normalize';

export const address: Resource = {
	option: { name: 'Address', value: 'address' },
	operations: [normalize],
};
