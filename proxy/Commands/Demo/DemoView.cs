using System.Globalization;
using Spectre.Console;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// What people see of the demo. With JSON asked for, standard output carries the JSON object alone and everything else goes to standard
/// error.
/// </summary>
internal sealed class DemoView(bool json)
{
    private static readonly TimeSpan s_refresh = TimeSpan.FromMilliseconds(100);

    private readonly IAnsiConsole _console = json
        ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) })
        : AnsiConsole.Console;

    /// <summary>Says what is there before the first storm.</summary>
    public void Begin(DemoOptions options, DemoRepository repository, EmbeddedStratum1 stratum1, ProxyProcess proxy, string store)
    {
        BootPlan boot = repository.Boots[0];
        Line($"[bold]{options.Vms} virtual machines boot at once through one proxy.[/]");
        Line($"Stratum 1   {stratum1.Address} with {DemoRepository.Fqrn} ({repository.FileCount} files), {options.RoundTrip.TotalMilliseconds:0} ms away");
        Line($"Proxy       http://{proxy.EndPoint} (process {proxy.Id}), store {Markup.Escape(store)}");
        Line($"A boot      {boot.Count} requests for {boot.Objects.Count} objects and the signed documents, on up to {VirtualMachine.MaxConnections} connections");
        _console.WriteLine();
    }

    /// <summary>Shows a storm while it goes on.</summary>
    public async Task PhaseAsync(string name, string condition, int vms, BootPlan plan, PhaseTally tally, Task storm)
    {
        string title = $"[bold]{name,-9}[/] {condition}";
        if (!_console.Profile.Capabilities.Interactive || !_console.Profile.Capabilities.Ansi)
        {
            Line(title);
            await storm;
            return;
        }

        await _console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask(title, maxValue: (double)vms * plan.Count);
                while (!storm.IsCompleted)
                {
                    bar.Value = tally.Requests;
                    bar.Description = $"{title}: {tally.Boots.Count} of {vms} booted";
                    await Task.WhenAny(storm, Task.Delay(s_refresh));
                }

                bar.Value = tally.Boots.Count == vms ? bar.MaxValue : tally.Requests;
                bar.Description = $"{title}: {tally.Boots.Count} of {vms} booted";
            });
        await storm;
    }

    /// <summary>Waits and says for what.</summary>
    public async Task WaitAsync(string reason, TimeSpan time, CancellationToken cancellationToken)
    {
        if (time <= TimeSpan.Zero)
        {
            return;
        }

        if (_console.Profile.Capabilities.Interactive && _console.Profile.Capabilities.Ansi)
        {
            await _console.Status().StartAsync($"Waiting: {reason}", _ => Task.Delay(time, cancellationToken));
        }
        else
        {
            await Task.Delay(time, cancellationToken);
        }
    }

    /// <summary>Shows the outcome and what to try next.</summary>
    public void Show(DemoReport report)
    {
        if (json)
        {
            Console.Out.WriteLine(report.ToJson());
        }

        _console.WriteLine();
        _console.Write(TableOf(report));
        if (report.Ok)
        {
            Line("[green]All as it must be:[/] every object was fetched once, every byte was right, no VM waited 5 s, the store survived a SIGKILL.");
        }
        else
        {
            Line("[red]Not as it must be:[/]");
            foreach (string problem in report.Problems)
            {
                Line($"  {Markup.Escape(problem)}");
            }
        }

        ShowNext(report);
    }

    /// <summary>Says why the demo could not be run.</summary>
    public void Fail(string message) => Line($"[red]The demo stopped:[/] {Markup.Escape(message)}");

    private static Table TableOf(DemoReport report)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("phase");
        foreach (string header in (string[])["boots", "requests", "objects", "from\nStratum 1", "hit ratio", "MB to VMs", "boot p50\nms", "boot p99\nms", "boot max\nms", "first byte\nmax ms", "wrong\nbodies", "errors", "exiles"])
        {
            table.AddColumn(new TableColumn(header).RightAligned());
        }

        foreach (PhaseResult p in report.Phases)
        {
            table.AddRow(
                p.Name, N(p.Boots), N(p.Requests), N(p.DistinctObjects), N(p.UpstreamObjectRequests), p.HitRatio.ToString("0.0000", CultureInfo.InvariantCulture),
                N(p.BytesReceived / 1e6), N(p.BootP50Ms), N(p.BootP99Ms), N(p.BootMaxMs), N(p.FirstByteMaxMs), N(p.WrongBodies), N(p.Errors), N(p.Exiles));
        }

        return table;

        static string N(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);
    }

    private void ShowNext(DemoReport report)
    {
        _console.WriteLine();
        Line("An exile is a VM that would have gone past the proxy, straight to the Stratum 1, for a day.");
        Line("Try next:");
        Line($"  breakwater demo --vms {Math.Min(2 * report.Vms, FileDescriptors.MostVms())} --rtt {Math.Min(1000, Math.Max(100, 3 * report.RttMs)):0}   a bigger storm, a farther Stratum 1");
        Line("  breakwater serve                     the proxy itself, on port 3128; point clients to it with CVMFS_HTTP_PROXY=\"http://<this host>:3128\"");
    }

    private void Line(string markup) => _console.MarkupLine(markup);
}
