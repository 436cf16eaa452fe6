import type { Resource } from '../../operation';
import { operation as collect } from './collect';
import { operation as lease } from './lease';
import { operation as report } from './report';

export const action: Resource = {
	option: { name: 'Action', value: 'action' },
	operations: [collect, lease, report],
};
