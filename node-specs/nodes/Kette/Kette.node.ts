import { NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';

import { KETTE_OUTPUTS } from '../../shared/outputs';
import { propertiesOf } from './operation';
import { RESOURCES } from './resources';

export class Kette implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Kette',
		name: 'kette',
		icon: { light: 'file:../../icons/kette.svg', dark: 'file:../../icons/kette.dark.svg' },
		group: ['transform'],
		version: [1, 2],
		defaultVersion: 2,
		subtitle: '={{$parameter["operation"] + ": " + $parameter["resource"]}}',
		description: 'Take in shop events, report actions, read and correct orders in Kette',
		defaults: { name: 'Kette' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: KETTE_OUTPUTS,
		credentials: [{ name: 'ketteApi', required: true }],
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: RESOURCES.map((resource) => resource.option),
				default: 'action',
			},
			...RESOURCES.flatMap(propertiesOf),
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = this.getNodeParameter('resource', 0) as string;
		const name = this.getNodeParameter('operation', 0) as string;
		const operation = RESOURCES.find((one) => one.option.value === resource)?.operations.find(
			(one) => one.option.value === name,
		);
		if (!operation) {
			throw new NodeOperationError(this.getNode(), `There is no operation ${resource}: ${name}`);
		}
		return await operation.run(this, this.getInputData());
	}
}
