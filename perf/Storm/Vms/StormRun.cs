using Breakwater.Laboratory.Net;

namespace Breakwater.Storm.Vms;

/// <summary>Runs a storm in this process: one or more event loops, each with its share of the VMs.</summary>
internal static class StormRun
{
    private const long WatchEveryUs = 1_000_000;

    /// <summary>Runs it to its end or its time limit.</summary>
    public static StormResult Run(StormOptions options)
    {
        Native.RaiseOpenFileLimit();
        var requests = new RequestTable(options);
        IReadOnlyList<TimeSpan> starts = Arrival.Parse(options.ArrivalCurve, options.Vms, options.Seed);
        long startUs = EventLoop.ClockUs();
        var tallies = new StormTally[options.Threads];
        Thread[] threads = [.. Enumerable.Range(0, options.Threads).Select(t => new Thread(() =>
            tallies[t] = RunShare(t, options, requests, starts, startUs)) { Name = $"storm {t}" })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        var duration = TimeSpan.FromMicroseconds(EventLoop.ClockUs() - startUs);
        foreach (StormTally other in tallies.Skip(1))
        {
            tallies[0].Add(other);
        }

        return StormResult.Of(options.Vms, duration, tallies[0]);
    }

    private static StormTally RunShare(int share, StormOptions options, RequestTable requests, IReadOnlyList<TimeSpan> starts, long startUs)
    {
        using var loop = new EventLoop();
        var tally = new StormTally();
        var vms = new List<VirtualMachine>();
        int running = 0;
        for (int number = share; number < options.Vms; number += options.Threads)
        {
            var vm = new VirtualMachine(number, options, requests, loop, tally, startUs, () =>
            {
                if (--running == 0)
                {
                    loop.Stop();
                }
            });
            vms.Add(vm);
            running++;
            loop.After((long)starts[number].TotalMicroseconds, vm.Start);
        }

        void Watch()
        {
            long now = EventLoop.ClockUs();
            foreach (VirtualMachine vm in vms)
            {
                if (!vm.HasEnded)
                {
                    vm.Watch(now);
                }
            }

            loop.After(WatchEveryUs, Watch);
        }

        loop.After(WatchEveryUs, Watch);
        loop.After((long)options.TimeLimit.TotalMicroseconds, () =>
        {
            foreach (VirtualMachine vm in vms)
            {
                vm.End();
            }
        });
        if (running > 0)
        {
            loop.Run();
        }

        tally.CpuUs = Native.ThreadCpuUs();
        return tally;
    }
}
