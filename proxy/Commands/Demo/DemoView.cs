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
        Line($"[bold]{options.Vms} virtual machines boot at once through one proxy[/]");
        Line($"  Stratum 1   {stratum1.Address}, {options.RoundTrip.TotalMilliseconds:0} ms away");
        Line($"  repository  {DemoRepository.Fqrn}, {repository.FileCount} files");
        Line($"  proxy       http://{Markup.Escape(proxy.EndPoint.ToString())}, process {proxy.Id}");
        Line($"  store       {Markup.Escape(store)}, removed at the end");
        Line($"  a boot      {boot.Count} requests on up to {VirtualMachine.MaxConnections} connections");
        _console.WriteLine();
    }

    /// <summary>Shows a storm while it goes on.</summary>
    public async Task PhaseAsync(string name, string condition, int vms, BootPlan plan, PhaseTally tally, Task storm)
    {
        string title = $"[bold]{name,-8}[/] {condition,-24}";
        if (!_console.Profile.Capabilities.Interactive || !_console.Profile.Capabilities.Ansi)
        {
            Line(title);
            await storm;
            return;
        }

        await _console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 20 }, new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask(title, maxValue: (double)vms * plan.Count);
                while (!storm.IsCompleted)
                {
                    bar.Value = tally.Requests;
                    bar.Description = $"{title} {tally.Boots.Count,4} of {vms} booted";
                    await Task.WhenAny(storm, Task.Delay(s_refresh));
                }

                bar.Value = tally.Boots.Count == vms ? bar.MaxValue : tally.Requests;
                bar.Description = $"{title} {tally.Boots.Count,4} of {vms} booted";
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
            Line("[green]All as it must be:[/] every object was fetched once, every byte was right,\nno VM waited 5 s, and the store "
                + "survived a SIGKILL.");
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

    /// <summary>A row a figure and a column a phase: fits a terminal of 80 columns.</summary>
    private static Table TableOf(DemoReport report)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (PhaseResult phase in report.Phases)
        {
            table.AddColumn(new TableColumn($"[bold]{phase.Name}[/]").RightAligned());
        }

        Add("VMs booted", p => N(p.Boots));
        Add("requests", p => N(p.Requests));
        Add("MB to the VMs", p => N(p.BytesReceived / 1e6));
        Add("distinct objects asked for", p => N(p.DistinctObjects));
        Add("object requests to the Stratum 1", p => N(p.UpstreamObjectRequests));
        Add("fetched ahead of the boots", p => N(p.PrefetchRequests));
        Add("hit ratio", p => p.HitRatio.ToString("0.0000", CultureInfo.InvariantCulture));
        Add("boot time, median ms", p => N(p.BootP50Ms));
        Add("boot time, 99 % ms", p => N(p.BootP99Ms));
        Add("boot time, longest ms", p => N(p.BootMaxMs));
        Add("longest wait for a first byte, ms", p => N(p.FirstByteMaxMs));
        Add("wrong bodies", p => N(p.WrongBodies));
        Add("errors", p => N(p.Errors));
        Add("exiles (VMs lost to DIRECT)", p => N(p.Exiles));
        return table;

        void Add(string label, Func<PhaseResult, string> cell) => table.AddRow([label, .. report.Phases.Select(cell)]);
        static string N(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);
    }

    private void ShowNext(DemoReport report)
    {
        int vms = Math.Min(2 * report.Vms, FileDescriptors.MostVms());
        double rtt = Math.Min(1000, Math.Max(100, 2 * report.RttMs));
        _console.WriteLine();
        Line("An exile is a VM whose proxy kept it waiting for 5 s: it goes past the proxy,");
        Line("straight to the Stratum 1, for a day.");
        _console.WriteLine();
        Line("[bold]Try next[/]");
        Line($"  breakwater demo --vms {vms} --rtt {rtt:0}");
        Line("      a bigger storm, a Stratum 1 farther away");
        Line("  breakwater serve");
        Line("      the proxy itself on port 3128; on a client: CVMFS_HTTP_PROXY=\"http://<this host>:3128\"");
    }

    private void Line(string markup) => _console.MarkupLine(markup);
}
