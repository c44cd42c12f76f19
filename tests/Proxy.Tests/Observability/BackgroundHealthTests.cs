using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Tests.Host;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Breakwater.Proxy.Tests.Observability;

/// <summary>What an error ends in the background is told, and stops nothing else.</summary>
public sealed class BackgroundHealthTests(BuiltProxy proxy) : IClassFixture<BuiltProxy>
{
    [Fact]
    public async Task Find_OfWorkThatAnErrorEnded_TellsIt()
    {
        using Work failing = new(Task.FromException(new InvalidOperationException("Nobody thought of that."))),
            stopped = new(Task.FromCanceled(new CancellationToken(canceled: true))), running = new(new TaskCompletionSource().Task);
        Work[] all = [running, failing, stopped];
        foreach (Work work in all)
        {
            await Record.ExceptionAsync(() => work.StartAsync(default));
        }

        await Waiting.UntilAsync(() => failing.ExecuteTask!.IsFaulted);
        HealthFinding told = Assert.Single(new BackgroundHealth(() => all).Find());

        Assert.Equal(("background-ended", HealthLevel.Degraded), (told.Name, told.Level));
        Assert.StartsWith("Work has ended: Nobody thought of that. ", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Host_OfTheProxy_GoesOnWithoutIt()
    {
        HostOptions host = proxy.Services.GetRequiredService<IOptions<HostOptions>>().Value;

        Assert.Equal(BackgroundServiceExceptionBehavior.Ignore, host.BackgroundServiceExceptionBehavior);
        Assert.Empty(proxy.Services.GetServices<IHealthSource>().OfType<BackgroundHealth>().Single().Find());
    }

    private sealed class Work(Task task) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => task;
    }
}
