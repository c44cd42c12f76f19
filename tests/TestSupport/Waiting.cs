namespace Breakwater.TestSupport;

/// <summary>Waits for what happens by itself, sooner or later.</summary>
internal static class Waiting
{
    /// <summary>Returns when the condition holds.</summary>
    /// <param name="holds">Asked again and again.</param>
    /// <param name="patience">When to call it a hang; null: 30 s.</param>
    /// <exception cref="OperationCanceledException">It has not come to hold.</exception>
    public static async Task UntilAsync(Func<bool> holds, TimeSpan? patience = null)
    {
        using CancellationTokenSource hang = new(patience ?? TimeSpan.FromSeconds(30));
        while (!holds())
        {
            await Task.Delay(1, hang.Token);
        }
    }
}
