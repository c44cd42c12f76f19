using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Results;

/// <summary>Writes what people read: Markdown, one HTML file, charts, and the part of a README between its markers.</summary>
internal static class Report
{
    private const string Begin = "<!-- race -->";
    private const string End = "<!-- /race -->";

    /// <summary>Writes all of it beside <c>race.json</c>.</summary>
    public static void Write(string root, RaceResults results)
    {
        string directory = Path.Combine(root, "perf", "results");
        string markdown = Tables.Markdown(results);
        IReadOnlyDictionary<string, string> charts = Charts.All(results);
        File.WriteAllText(Path.Combine(directory, "race.md"), markdown);
        File.WriteAllText(Path.Combine(directory, "race.html"), Html(markdown, charts));
        foreach (string name in new[] { "hits", "storm-1000x403-finished" }.Where(charts.ContainsKey))
        {
            File.WriteAllText(Path.Combine(directory, name + ".svg"), charts[name]);
        }

        foreach (string readme in new[] { Path.Combine(root, "README.md"), Path.Combine(root, "perf", "README.md") })
        {
            Update(readme, readme == Path.Combine(root, "README.md") ? "perf/results" : "results", results, charts);
        }
    }

    private static void Update(string readme, string results, RaceResults race, IReadOnlyDictionary<string, string> charts)
    {
        string text = File.Exists(readme) ? File.ReadAllText(readme) : "";
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            return;
        }

        var part = new StringBuilder(Begin).Append("\n\n");
        if (charts.ContainsKey("hits"))
        {
            part.Append($"![Hits against the peers]({results}/hits.svg)\n\n");
        }

        part.Append("Hits on 64 connections, requests/s (server µs a request); ratios are Breakwater's. \"limit\" is a server that does "
                + "nothing but write the same bytes:\n\n")
            .Append(Tables.Hot(race, onlyConnections: 64)).Append('\n')
            .Append(Tables.Terms(race with { Cases = [.. Tables.HotOf(race, 64)] })).Append('\n')
            .Append($"\n{Tables.Provenance(race)}Everything else, and the goals: [race.md]({results}/race.md), "
            + $"[race.html]({results}/race.html).\n\n");
        File.WriteAllText(readme, text[..begin] + part + text[end..]);
    }

    /// <summary>One file without anything from elsewhere.</summary>
    private static string Html(string markdown, IReadOnlyDictionary<string, string> charts)
    {
        var body = new StringBuilder();
        foreach (string block in markdown.Split("\n\n"))
        {
            string[] lines = [.. block.Split('\n').Where(l => l.Length > 0)];
            if (lines.Length == 0)
            {
                continue;
            }

            if (lines[0].StartsWith('#'))
            {
                int level = lines[0].TakeWhile(c => c == '#').Count();
                body.Append($"<h{level}>{WebUtility.HtmlEncode(lines[0].TrimStart('#', ' '))}</h{level}>\n");
            }
            else if (lines[0].StartsWith('|'))
            {
                body.Append("<table>");
                foreach (string line in lines.Where(l => !l.StartsWith("|---", StringComparison.Ordinal)))
                {
                    string tag = line == lines[0] ? "th" : "td";
                    body.Append("<tr>").AppendJoin("", line.Trim('|').Split('|').Select(c => $"<{tag}>{Cell(c)}</{tag}>"))
                        .Append("</tr>\n");
                }

                body.Append("</table>\n");
            }
            else
            {
                body.Append($"<p>{Cell(string.Join(' ', lines))}</p>\n");
            }
        }

        string figures = string.Concat(charts.Values.Select(svg => $"<figure>{svg}</figure>\n"));
        return $$"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Breakwater: the race</title>
            <style>
            body { font: 15px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
            table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto; }
            td, th { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
            td:first-child, th:first-child { text-align: left; } th { font-weight: 600; background: #f4f6f8; }
            figure { margin: 1.2em 0; } .no { color: #b33a3a; font-weight: 600; }
            </style></head><body>
            {{figures}}{{body}}
            </body></html>

            """;
    }

    private static string Cell(string cell) =>
        Regex.Replace(WebUtility.HtmlEncode(cell.Trim()), @"\*\*(.+?)\*\*", "<span class=\"no\">$1</span>");
}
