/**
 * Loaded into n8n with NODE_OPTIONS=--require. Keeps deliveries from being lost while n8n starts.
 *
 * Between connecting to its database and having it migrated, n8n 2.40 answers every request, also
 * one for a webhook, with 200 and the page below. A shop, a payment provider or a carrier takes
 * that for "delivered" and does not send the event again. 503 is the truth, and they retry.
 */
'use strict';

const { ServerResponse } = require('node:http');

const PAGE = 'n8n is starting up. Please wait';
const { end } = ServerResponse.prototype;

function isPage(chunk) {
	return (typeof chunk === 'string' || Buffer.isBuffer(chunk)) && chunk.length === PAGE.length
		? String(chunk) === PAGE
		: false;
}

ServerResponse.prototype.end = function (chunk, ...rest) {
	if (this.statusCode === 200 && !this.headersSent && isPage(chunk)) {
		this.statusCode = 503;
		this.setHeader('Retry-After', '5');
	}
	return end.call(this, chunk, ...rest);
};
