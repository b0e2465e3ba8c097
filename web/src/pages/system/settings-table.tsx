import type { SystemView } from "../../api/types.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { showName } from "../../ui/formats.ts";

/** How the server is set up, and where each value comes from. */
export function SettingsTable({ settings }: Pick<SystemView, "settings">) {
  return (
    <DataTable caption="Settings" columns={["Name", "Value", "From"]}>
      {settings.map(({ name, value, source }) => (
        <tr key={name}>
          <td>
            <code>{showName(name)}</code>
          </td>
          <td className="cell-name">{showName(typeof value === "string" ? value : JSON.stringify(value))}</td>
          <td className="muted">{showName(source)}</td>
        </tr>
      ))}
    </DataTable>
  );
}
