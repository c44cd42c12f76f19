using System.Runtime.CompilerServices;

namespace Breakwater.TestSupport;

/// <summary>Waits of tests, each with a deadline: what never comes fails the test and is named, it does not hang the run.</summary>
public static class Waiting
{
    /// <summary>When a wait is called a hang: far longer than anything takes on a busy machine.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(120);

    /// <summary>Returns when the condition holds.</summary>
    /// <param name="holds">Asked again and again.</param>
    /// <param name="patience">When to call it a hang; null: <see cref="Hang"/>.</param>
    /// <param name="what">The condition's source text.</param>
    /// <exception cref="TimeoutException">It has not come to hold.</exception>
    public static Task UntilAsync(Func<bool> holds, TimeSpan? patience = null,
        [CallerArgumentExpression(nameof(holds))] string what = "") =>
        UntilAsync(() => Task.FromResult(holds()), patience, what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, TimeSpan?, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan? patience = null,
        [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        long began = Environment.TickCount64;
        while (!await holds().InTimeAsync(patience, what))
        {
            long waited = Environment.TickCount64 - began;
            if (waited > (patience ?? Hang).TotalMilliseconds)
            {
                throw Late(patience, what);
            }

            // What takes longer is asked more seldom: a thousand questions a second take the processor from what is waited for.
            await Task.Delay((int)Math.Clamp(waited / 10, 1, 20));
        }
    }

    /// <summary>The task, which must end in time.</summary>
    /// <exception cref="TimeoutException">It has not ended.</exception>
    public static async Task InTimeAsync(this Task task, TimeSpan? patience = null,
        [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(patience ?? Hang);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw Late(patience, what);
        }
    }

    /// <inheritdoc cref="InTimeAsync(Task, TimeSpan?, string)"/>
    public static async Task<T> InTimeAsync<T>(this Task<T> task, TimeSpan? patience = null,
        [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).InTimeAsync(patience, what);
        return await task;
    }

    /// <inheritdoc cref="InTimeAsync(Task, TimeSpan?, string)"/>
    public static Task<T> InTimeAsync<T>(this ValueTask<T> task, TimeSpan? patience = null,
        [CallerArgumentExpression(nameof(task))] string what = "") =>
        task.AsTask().InTimeAsync(patience, what);

    private static TimeoutException Late(TimeSpan? patience, string what) =>
        new($"After {(patience ?? Hang).TotalSeconds} s still waiting for: {what}");
}
