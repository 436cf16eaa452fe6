import type { Resource } from '../../operation';
import { operation as assign } from './assign';
import { operation as getAll } from './getAll';
import { operation as resolve } from './resolve';
import { operation as snooze } from './snooze';

export const exception: Resource = {
	option: { name: 'Exception', value: 'exception' },
	operations: [assign, getAll, resolve, snooze],
};
