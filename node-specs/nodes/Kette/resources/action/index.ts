import type { Resource } from '../../operation';
import { operation as bundle } from './bundle';
import { operation as collect } from './collect';
import { operation as lease } from './lease';
import { operation as report } from './report';

export const action: Resource = {
	option: { name: 'Action', value: 'action' },
	operations: [bundle, collect, lease, report],
};
