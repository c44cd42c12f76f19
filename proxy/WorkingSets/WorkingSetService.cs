using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// In the background: learns from boots that are over, and looks for new revisions of repositories that have a working set.
/// </summary>
internal sealed partial class WorkingSetService(
    BootObserver boots,
    BootLearner learner,
    SiteBoots site,
    RevisionPoll polls,
    RepositoryRoutes repositories,
    WorkingSetOptions options,
    TimeProvider time,
    ILogger<WorkingSetService> log) : BackgroundService
{
    /// <summary>How often it looks around. The manifest itself is fetched when it is older than 61 s.</summary>
    internal static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await LearnAsync(stoppingToken);
                    await polls.PollAsync(stoppingToken);
                }
                catch (Exception e) when (!(e is OperationCanceledException && stoppingToken.IsCancellationRequested))
                {
                    // What took too long, or met what nobody thought of, is no reason to learn nothing any more.
                    LogFailed(log, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy stops.
        }
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        foreach (RecordedBoot boot in options.Learn ? boots.TakeFinished() : [])
        {
            if (!site.TryKeep(boot))
            {
                await LearnAsync(boot, cancellationToken);
            }
        }

        while (options.Learn && site.TryTakeArrived(out RecordedBoot? boot))
        {
            await LearnAsync(boot, cancellationToken);
        }
    }

    private async Task LearnAsync(RecordedBoot boot, CancellationToken cancellationToken)
    {
        if (repositories.TryFind(boot.Repository, out RepositoryRoute? repository))
        {
            await learner.LearnAsync(repository, boot, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Working sets: a round of learning and polling failed; the next one is due in a few seconds")]
    private static partial void LogFailed(ILogger log, Exception exception);
}
