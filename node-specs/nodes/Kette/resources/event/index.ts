import type { Resource } from '../../operation';
import { operation as handInReading } from './handInReading';
import { operation as ingest } from './ingest';
import { operation as reportFailedRun } from './reportFailedRun';

export const event: Resource = {
	option: { name: 'Event', value: 'event' },
	operations: [ingest, handInReading, reportFailedRun],
};
