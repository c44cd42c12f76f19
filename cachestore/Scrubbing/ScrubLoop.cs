using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Scrubbing;

/// <summary>Runs the scrubber in the background: a pass, then a rest until the next one is due.</summary>
internal sealed class ScrubLoop : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public ScrubLoop(Scrubber scrubber, StoreOptions options, TimeProvider time, ILogger logger) =>
        _running = Task.Run(() => RunAsync(scrubber, options, time, logger));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync(Scrubber scrubber, StoreOptions options, TimeProvider time, ILogger logger)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.ScrubInterval, time, _stopping.Token);
                ScrubReport report =
                    await scrubber.PassAsync(new ScrubPace(options.ScrubBytesPerSecond, time), isRepairing: true, _stopping.Token);
                logger.LogInformation("Scrubbed {Objects} objects, {Bytes} bytes; {Damaged} were damaged.", report.Objects, report.Bytes,
                    report.Damaged.Count);
            }
        }
        catch (OperationCanceledException)
        {
            // closing
        }
    }
}
