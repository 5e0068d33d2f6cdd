// A QR code, drawn here: the secret in it must not reach any service that draws them. Black on white in both looks,
// because cameras expect that. Its own chunk, because few people ever need it.
import { useMemo } from "react";
import { encode } from "uqr";

const BORDER = 4;

export default function QrCode({ text, label }: { text: string; label: string }) {
  const { path, side } = useMemo(() => draw(text), [text]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${side} ${side}`}
      width={192}
      height={192}
      shapeRendering="crispEdges"
    >
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

function draw(text: string): { path: string; side: number } {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  let path = "";
  data.forEach((row, y) => {
    row.forEach((isDark, x) => {
      if (isDark) path += `M${x + BORDER} ${y + BORDER}h1v1h-1z`;
    });
  });
  return { path, side: size + 2 * BORDER };
}
