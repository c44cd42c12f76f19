using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

/// <summary>
/// Run in another program by <c>DOTNET_STARTUP_HOOKS</c>: on SIGUSR2 its thread pool is late by more than half a second for 25 s, as one is
/// whose work blocks. The runtime finds it by this name, without a namespace.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = "The runtime wants it so.")]
internal static class StartupHook
{
    private const int Signal = 12; // SIGUSR2
    private const int BlockedMilliseconds = 20;
    private const int LatenessMilliseconds = 700;

    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(25);

    private static PosixSignalRegistration? s_registration;
    private static int s_waiting;

    /// <summary>Called by the runtime before the program's own entry.</summary>
    public static void Initialize() => s_registration = PosixSignalRegistration.Create((PosixSignal)Signal, context =>
    {
        context.Cancel = true;
        new Thread(Flood) { IsBackground = true }.Start();
    });

    private static void Flood()
    {
        for (long end = Environment.TickCount64 + (long)s_lasts.TotalMilliseconds; Environment.TickCount64 < end; Thread.Sleep(5))
        {
            // The pool adds threads while its work blocks: so many wait that each has so much before it all the same.
            while (Volatile.Read(ref s_waiting) < ThreadPool.ThreadCount * LatenessMilliseconds / BlockedMilliseconds)
            {
                Interlocked.Increment(ref s_waiting);
                ThreadPool.QueueUserWorkItem(static _ =>
                {
                    Thread.Sleep(BlockedMilliseconds);
                    Interlocked.Decrement(ref s_waiting);
                });
            }
        }
    }
}
