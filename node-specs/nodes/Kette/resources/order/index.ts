import type { Resource } from '../../operation';
import { operation as addNote } from './addNote';
import { operation as approve } from './approve';
import { operation as cancel } from './cancel';
import { operation as correctAddress } from './correctAddress';
import { operation as get } from './get';
import { operation as getAll } from './getAll';
import { operation as history } from './history';
import { operation as validate } from './validate';

export const order: Resource = {
	option: { name: 'Order', value: 'order' },
	operations: [addNote, approve, cancel, correctAddress, get, getAll, history, validate],
};
