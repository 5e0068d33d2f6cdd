// A plain table of numbers, newest day first where it is about days. It scrolls sideways inside itself on a phone.
import { Table } from "@mantine/core";
import type { ReactNode } from "react";

export type NumberTableProps = {
  label: string;
  /** The first is the name of a row, the others are numbers. */
  columns: readonly string[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** The last row, set apart. */
  sum?: readonly ReactNode[];
};

export function NumberTable({ label, columns, rows, sum }: NumberTableProps) {
  return (
    <Table.ScrollContainer
      minWidth={120 + (columns.length - 1) * 90}
      type="native"
      tabIndex={0}
      role="group"
      aria-label={label}
    >
      <Table aria-label={label} verticalSpacing={6} className="tabular">
        <Table.Thead>
          <Table.Tr>
            {columns.map((column, index) => (
              <Table.Th key={column} ta={index === 0 ? undefined : "right"}>
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ key, cells }) => (
            <Table.Tr key={key}>
              <Cells columns={columns} cells={cells} />
            </Table.Tr>
          ))}
        </Table.Tbody>
        {sum && (
          <Table.Tfoot>
            <Table.Tr fw={600}>
              <Cells columns={columns} cells={sum} />
            </Table.Tr>
          </Table.Tfoot>
        )}
      </Table>
    </Table.ScrollContainer>
  );
}

function Cells({ columns, cells }: { columns: readonly string[]; cells: readonly ReactNode[] }) {
  return columns.map((column, index) => (
    <Table.Td key={column} ta={index === 0 ? undefined : "right"}>
      {cells[index]}
    </Table.Td>
  ));
}
