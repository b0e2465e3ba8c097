/* What the stacks of infra/, whatever deploys them and whatever looks for them afterwards call the same by. */

/** Names of the stacks, by what is in them. */
export const STACK_NAMES = {
  state: "ReelmillState",
  work: "ReelmillWork",
  interface: "ReelmillInterface",
  operations: "ReelmillOperations",
} as const;

/** Outputs of stacks that a program reads. */
export const OUTPUTS = {
  /** Of `interface`: the address of the API, without a slash at its end. */
  apiUrl: "ApiUrl",
  /** Of `state`: where the image is pushed to, without a tag. */
  registryUri: "RegistryUri",
  /** Of `state`: what the stacks were made with where that is not the default, as a JSON object; the image's tag is not in it. */
  settings: "Settings",
} as const;

/** The parameter of `interface` that takes the SHA-256 of the API key. */
export const API_KEY_PARAMETER = "ApiKeyHash";
