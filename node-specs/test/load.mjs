/** The tests run the compiled package, the same files that n8n loads. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export function compiled(path) {
	return require(`../dist/${path}.js`);
}

export const NODE = { id: '1', name: 'Kette', type: 'n8n-nodes-kette.kette', typeVersion: 1 };

/** A small working stand-in for n8n's context: parameters, items, links and an HTTP function. */
export function contextOf({ parameters = {}, items = [], node = NODE, ...rest }) {
	const requests = [];
	const memory = {};
	return {
		requests,
		getNode: () => node,
		getNodeParameter: (name, _index, fallback) => parameters[name] ?? fallback,
		getInputData: () => items,
		getContext: () => memory,
		continueOnFail: () => rest.continueOnFail ?? false,
		getCredentials: async () => ({ baseUrl: 'http://kette.test/' }),
		getParentNodes: rest.getParentNodes ?? (() => []),
		getExecuteData: () => ({ source: rest.source ?? null }),
		getWorkflowDataProxy: () => rest.runData ?? {},
		helpers: {
			httpRequestWithAuthentication: async (_credential, request) => {
				requests.push(request);
				return rest.respond(request);
			},
			getBinaryDataBuffer: async () => rest.raw,
			prepareBinaryData: async (content, fileName, mimeType) => ({
				data: Buffer.from(content).toString('base64'),
				fileName,
				mimeType,
			}),
		},
	};
}
