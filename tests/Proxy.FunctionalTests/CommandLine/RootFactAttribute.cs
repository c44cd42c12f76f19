namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>A test that only root can run, because it gives files to another user.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "Only root gives files to another user.";
        }
    }
}
