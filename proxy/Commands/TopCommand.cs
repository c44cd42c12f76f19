using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Storms;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater top</c>: the same as status, live, with rates and the slowest boots.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var command = new Command("top", "Watch the running Breakwater: rates, fetches, Stratum 1s and the slowest boots, once a second. Ctrl+C ends it; when the output is no terminal, one second is shown.") { SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(parsed.GetValue(SettingsFile.Option), RunAsync, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(AdminClient client, CancellationToken cancellationToken)
    {
        ServerStatus last = await client.GetAsync<ServerStatus>("status", cancellationToken);
        if (Console.IsOutputRedirected)
        {
            await Task.Delay(s_interval, cancellationToken);
            (Rows frame, _) = await FrameAsync(client, last, cancellationToken);
            AnsiConsole.Write(frame);
            return 0;
        }

        await AnsiConsole.Live(new Text("")).AutoClear(true).StartAsync(async live =>
        {
            while (true)
            {
                (Rows frame, last) = await FrameAsync(client, last, cancellationToken);
                live.UpdateTarget(frame);
                await Task.Delay(s_interval, cancellationToken);
            }
        });
        return 0;
    }

    private static async Task<(Rows Frame, ServerStatus Status)> FrameAsync(AdminClient client, ServerStatus last, CancellationToken cancellationToken)
    {
        BootView[] boots = await client.GetAsync<BootView[]>("boots?limit=12", cancellationToken);
        ServerStatus status = await client.GetAsync<ServerStatus>("status", cancellationToken);
        return (Screen(status, last, boots), status);
    }

    private static Rows Screen(ServerStatus status, ServerStatus last, BootView[] boots)
    {
        double seconds = Math.Max(0.1, (status.Time - last.Time).TotalSeconds);
        string rates = string.Create(
            CultureInfo.InvariantCulture,
            $"[bold]{(status.Requests - last.Requests) / seconds:N0}[/] requests/s   [bold]{StatusCommand.Size((status.BytesSent - last.BytesSent) / seconds)}/s[/] to clients   [bold]{StatusCommand.Size((status.UpstreamBytes - last.UpstreamBytes) / seconds)}/s[/] from Stratum 1s");
        var parts = new List<IRenderable> { new Markup(rates), new Text(""), StatusCommand.Screen(status) };
        if (boots.Length > 0)
        {
            Table table = new Table().Border(TableBorder.None).AddColumns("slowest boots", "from where", "", "requests");
            foreach (BootView boot in boots)
            {
                table.AddRow(
                    new Text(boot.Client),
                    new Markup(string.Concat(boot.Segments.Select(c => c switch { 'm' => "[green]█[/]", 'd' => "[blue]█[/]", 'j' => "[yellow]█[/]", 'u' => "[red]█[/]", _ => "[grey]░[/]" }))),
                    new Text(boot.State == BootState.Stopped ? "stopped" : string.Create(CultureInfo.InvariantCulture, $"{boot.DurationMs / 1000:0.0} s")),
                    new Text(boot.Requests.ToString(CultureInfo.InvariantCulture)));
            }

            parts.Add(new Text(""));
            parts.Add(table);
        }

        return new Rows(parts);
    }
}
