namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>A test that needs axe-core, named in <c>BREAKWATER_AXE</c>: <c>.ci/run</c> and <c>perf/operators.sh</c> fetch it.</summary>
internal sealed class AxeFactAttribute : FactAttribute
{
    public AxeFactAttribute()
    {
        if (!File.Exists(Script))
        {
            Skip = "BREAKWATER_AXE names no axe.min.js: run perf/operators.sh.";
        }
    }

    /// <summary>The script's path; null when there is none.</summary>
    public static string? Script => Environment.GetEnvironmentVariable("BREAKWATER_AXE");
}
