using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// The commit with which a log closes. Its failure is said and ends nothing else: what was not committed is fetched again.
/// </summary>
internal static class LastCommit
{
    /// <summary>Makes it.</summary>
    /// <param name="commit">Ends with <see cref="OperationCanceledException"/> while the disk refuses writes.</param>
    /// <param name="log">Which log, for people: "the heads' log".</param>
    /// <param name="logger">Is told of a failure.</param>
    public static async Task MakeAsync(Func<Task> commit, string log, ILogger logger)
    {
        try
        {
            await commit();
        }
        catch (OperationCanceledException)
        {
            logger.LogWarning("Closing {Log} while its disk refuses writes: what was not committed is not stored.", log);
        }
        catch (Exception failure)
        {
            logger.LogError(failure, "The last commit of {Log} failed: what was not committed is not stored.", log);
        }
    }
}
