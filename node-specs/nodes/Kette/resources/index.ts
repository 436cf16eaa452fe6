import type { Resource } from '../operation';
import { action } from './action';
import { address } from './address';
import { document } from './document';
import { event } from './event';
import { exception } from './exception';
import { order } from './order';
import { pull } from './pull';
import { risk } from './risk';

export const RESOURCES: Resource[] = [action, address, document, event, exception, order, pull, risk];
