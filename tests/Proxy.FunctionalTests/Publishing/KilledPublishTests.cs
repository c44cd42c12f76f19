using System.Diagnostics;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>
/// The real command, killed: the old revision or the new one is there, whole. Many more kills: <c>perf/Publish/kill.py</c>.
/// </summary>
public sealed class KilledPublishTests : IDisposable
{
    private const int Kills = 4;

    private readonly PublishBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Publish_KilledAtAnyMoment_OldOrNewRevisionIsWhole()
    {
        await _bench.ShellAsync("mkdir d; for i in {1..80}; do echo $i > d/f$i; done");
        Manifest shown = (await new Publisher(_bench.Request, TimeProvider.System).RunAsync(default)).Manifest;
        var random = new Random(23);
        for (int i = 0; i < Kills; i++)
        {
            await _bench.ShellAsync($"for i in {{1..80}}; do echo $i {i} > d/f$i; done");
            using Process publish = Start();
            _ = publish.StandardOutput.ReadToEndAsync();
            _ = publish.StandardError.ReadToEndAsync();
            await Task.WhenAny(publish.WaitForExitAsync(), Task.Delay(random.Next(200, 700)));
            publish.Kill();
            await publish.WaitForExitAsync().InTimeAsync();

            Manifest now = (await _bench.CurrentAsync()).Manifest;
            Assert.InRange(now.Revision, shown.Revision, shown.Revision + 1);
            Assert.Equal(now.Revision == shown.Revision, now.RootCatalog == shown.RootCatalog);
            shown = now;
        }

        await new Publisher(_bench.Request, TimeProvider.System).RunAsync(default);
        await _bench.AssertWholeAsync();
    }

    private Process Start()
    {
        ProcessStartInfo start = ProxyProcess.OwnExecutable();
        foreach (string argument in (string[])
            ["publish", _bench.Tree, "--repository", PublishBench.Fqrn, "--output", _bench.Output, "--keys", _bench.KeysFolder])
        {
            start.ArgumentList.Add(argument);
        }

        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return Process.Start(start)!;
    }
}
