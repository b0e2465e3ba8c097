/** The URL of a module in the folder of the one at `url`: with the extension of that one, which is another one once it is compiled. */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`${name}${url.endsWith(".ts") ? ".ts" : ".js"}`, url);
}
