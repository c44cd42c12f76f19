using System.Globalization;

namespace Breakwater.CacheStore;

/// <summary>
/// Which mutant is switched on in this process, and which mutated lines were reached. Written into the copy of the tree that is mutated.
/// </summary>
public static class Mutant
{
    private static readonly int s_active = int.TryParse(Environment.GetEnvironmentVariable("MUTANT_ACTIVE"), out int active) ? active : -1;
    private static readonly string? s_log = Environment.GetEnvironmentVariable("MUTANT_LOG");
    private static readonly bool s_isRecording = s_log is not null;
    private static readonly HashSet<(int, int)> s_seen = []; // locked
    private static int s_sequence = int.TryParse(Environment.GetEnvironmentVariable("MUTANT_SEQUENCE"), out int sequence) ? sequence : 0;

    /// <summary>Is the mutant switched on? Notes that its line was reached when a log is wanted.</summary>
    public static bool Is(int mutant)
    {
        if (s_isRecording)
        {
            Reached(mutant);
        }

        return mutant == s_active;
    }

    /// <summary>
    /// A test begins (name) or has ended (null): what is reached from now on belongs to it, or to both of its neighbours.
    /// </summary>
    public static void Enter(string? test)
    {
        if (s_isRecording)
        {
            lock (s_seen)
            {
                s_sequence++;
                // child processes go on from here
                Environment.SetEnvironmentVariable("MUTANT_SEQUENCE", s_sequence.ToString(CultureInfo.InvariantCulture));
                Write($"{s_sequence}\t{test}\t{Environment.TickCount64}");
            }
        }
    }

    private static void Reached(int mutant)
    {
        lock (s_seen)
        {
            if (s_seen.Add((mutant, s_sequence)))
            {
                Write($"{s_sequence}\t#{mutant}");
            }
        }
    }

    private static void Write(string line) =>
        File.AppendAllText(string.Create(CultureInfo.InvariantCulture, $"{s_log}.{Environment.ProcessId}"), line + "\n");
}
