import type { Resource } from '../../operation';
import { operation as downloadPdf } from './downloadPdf';
import { operation as issue } from './issue';

export const document: Resource = {
	option: { name: 'Document', value: 'document' },
	operations: [downloadPdf, issue],
};
