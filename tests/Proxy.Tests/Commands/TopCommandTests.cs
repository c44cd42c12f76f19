using System.Collections.Concurrent;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Observability;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Commands;

public sealed class TopCommandTests
{
    /// <summary>Rates are of what went through between two looks, a second apart.</summary>
    [Fact]
    public async Task Top_WithoutAScreen_LooksTwiceASecondApart()
    {
        ConcurrentQueue<string> done = [];
        var status = new ServerStatus
        {
            Version = "9.9",
            Time = DateTimeOffset.UnixEpoch,
            UptimeSeconds = 100,
            Health = new HealthReport(HealthLevel.Ready, []),
            Storm = StormView.None,
            StorePath = "/store",
            StoreDiskFreeBytes = -1,
            WorkingSetBytes = 0,
            Reads = [],
            Actions = [],
        };
        await using CannedAdmin admin = await CannedAdmin.StartAsync(api =>
        {
            api.Read("status", "All.", () =>
            {
                done.Enqueue("status");
                return status = status with { UptimeSeconds = status.UptimeSeconds + 2, Requests = status.Requests + 10 };
            });
            api.Read("boots", "Boots.", (HttpRequest request) =>
            {
                done.Enqueue($"boots{request.QueryString}");
                return new BootPage(StormView.None, 0, 0, []);
            });
        });

        CommandRun run = await admin.RunAsync(TopCommand.Create(new HurriedTime(done)), "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["status", "1 s", "boots?limit=12", "status"], done);
        Assert.Equal(5, JsonElement.Parse(run.Output).GetProperty("rates").GetProperty("requestsPerSecond").GetDouble());
    }

    /// <summary>Notes what is waited for, and lets nobody wait.</summary>
    private sealed class HurriedTime(ConcurrentQueue<string> waits) : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            waits.Enqueue($"{dueTime.TotalSeconds:0.###} s");
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
