using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Settings;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater top</c>: the same as status, live, with rates and the boots of the storm that runs.</summary>
internal static class TopCommand
{
    private const int MinBoots = 12;
    private const int MaxBoots = 60;

    /// <summary>About what stands above the boots; what does not fit is cut off.</summary>
    private const int LinesOfStatus = 16;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_keys = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    /// <summary>Makes the command for the command line's root.</summary>
    /// <param name="time">Tells when a second is over where no screen is drawn.</param>
    public static Command Create(TimeProvider time)
    {
        Option<bool> json = new("--json") { Description = "Print one second as JSON" };
        var command =
            new Command("top",
            "Watch the running Breakwater: rates, fetches, Stratum 1s and the boots of the newest storm (stopped ones first, then those "
            + "that boot, then the slowest), once a second. q or Ctrl+C ends it; a server that goes away is waited for; "
            + "when the output is no terminal, one second is shown.") { json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(
            parsed.GetValue(SettingsFile.Option), (client, stop) => UntilEndAsync(client, parsed.GetValue(json), time, stop),
            cancellationToken));
        return command;
    }

    /// <summary>Ctrl+C is the ordinary end, of which nothing is said on a screen that is again as it was.</summary>
    private static async Task<int> UntilEndAsync(AdminClient client, bool asJson, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(client, asJson, time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && TerminalScreen.IsThere)
        {
            return ExitCodes.Interrupted;
        }
    }

    private static async Task<int> RunAsync(AdminClient client, bool asJson, TimeProvider time, CancellationToken cancellationToken)
    {
        ServerStatus last = await client.GetAsync<ServerStatus>("status", cancellationToken);
        if (asJson || !TerminalScreen.IsThere)
        {
            await Task.Delay(s_interval, time, cancellationToken);
            Frame frame = await FrameAsync(client, last, MinBoots, cancellationToken);
            if (asJson)
            {
                Output.WriteJson(new { frame.Rates, frame.Status, frame.Boots.Storm, frame.Boots.Boots });
            }
            else
            {
                Output.Write(frame.Content);
            }

            return 0;
        }

        using var screen = new TerminalScreen(Console.Out);
        IRenderable shown = new Text("");
        DateTimeOffset? goneAt = null;
        while (true)
        {
            Task<Frame> next =
                FrameAsync(client, last, Math.Clamp(TerminalScreen.Height - LinesOfStatus, MinBoots, MaxBoots), cancellationToken);
            if (await LeavesBeforeAsync(next, cancellationToken))
            {
                return 0;
            }

            try
            {
                (shown, last, _, _) = await next;
                goneAt = null;
                screen.Draw(shown);
            }
            catch (Exception e)
                when (e is AdminException or HttpRequestException or IOException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                goneAt ??= DateTimeOffset.Now;
                string why = e is AdminException ? e.Message : "It does not answer.";
                screen.Draw(new Rows(
                    new Markup(string.Create(CultureInfo.InvariantCulture,
                    $"[red]No answer since {goneAt:HH:mm:ss}[/], asking again every second; below is the last that was seen. "
                    + $"[grey]{Markup.Escape(why)}[/]")), new Text(""), shown));
            }

            if (await LeavesBeforeAsync(Task.Delay(s_interval, cancellationToken), cancellationToken))
            {
                return 0;
            }
        }
    }

    /// <summary>Waits for <paramref name="end"/>, and looks at the keyboard meanwhile: true when the operator wants to leave.</summary>
    private static async Task<bool> LeavesBeforeAsync(Task end, CancellationToken cancellationToken)
    {
        while (!end.IsCompleted)
        {
            if (TerminalScreen.WantsToLeave())
            {
                return true;
            }

            await Task.WhenAny(end, Task.Delay(s_keys, cancellationToken));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return TerminalScreen.WantsToLeave();
    }

    private static async Task<Frame> FrameAsync(AdminClient client, ServerStatus last, int most, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        BootPage boots =
            await client.GetAsync<BootPage>(string.Create(CultureInfo.InvariantCulture, $"boots?limit={most}"), patience.Token);
        ServerStatus status = await client.GetAsync<ServerStatus>("status", patience.Token);

        // Another process than before counts from 0.
        var rates = TopRates.Between(status.UptimeSeconds < last.UptimeSeconds ? status : last, status);
        return new Frame(Screen(status, rates, boots), status, rates, boots);
    }

    private sealed record Frame(IRenderable Content, ServerStatus Status, TopRates Rates, BootPage Boots);

    private static Rows Screen(ServerStatus status, TopRates rates, BootPage page)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"[bold]{rates.RequestsPerSecond:N0}[/] requests/s   [bold]{StatusCommand.Size(rates.BytesPerSecond)}/s[/] to clients   "
            + $"[bold]{StatusCommand.Size(rates.UpstreamBytesPerSecond)}/s[/] from Stratum 1s");
        var parts = new List<IRenderable> { new Markup(line), new Text(""), StatusCommand.Screen(status) };
        if (page.Boots.Count > 0)
        {
            parts.Add(new Text(""));
            parts.Add(TopBoots.Screen(page, TerminalScreen.IsThere ? TerminalScreen.Width : int.MaxValue));
        }

        return new Rows(parts);
    }
}
