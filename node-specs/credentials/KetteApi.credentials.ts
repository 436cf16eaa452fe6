import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';

export class KetteApi implements ICredentialType {
	name = 'ketteApi';

	displayName = 'Kette API';

	icon: Icon = { light: 'file:../icons/kette.svg', dark: 'file:../icons/kette.dark.svg' };

	documentationUrl = 'https://kette.example/n8n-nodes-kette#credential';

	properties: INodeProperties[] = [
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: 'http://127.0.0.1:8710',
			placeholder: 'e.g. https://kette.my-shop.example',
			description: 'Address of the Kette service, without a path, as this n8n reaches it',
			required: true,
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. kette_...',
			description: 'Made with "kette keys create --role automation"',
			required: true,
		},
	];

	// A function, not the generic form: that one holds an expression, and a single expression makes
	// n8n build an isolate for the whole execution.
	authenticate = async (
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> => ({
		...requestOptions,
		headers: { ...requestOptions.headers, Authorization: `Bearer ${String(credentials.apiKey).trim()}` },
	});

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{$credentials.baseUrl}}',
			url: '/v1/ping',
		},
		// Any server says 200 to something; only the service's answer has a status.
		rules: [
			{
				type: 'responseSuccessBody',
				properties: {
					key: 'status',
					value: undefined,
					message: 'What answered is not the Kette service: check the Base URL',
				},
			},
		],
	};
}
