namespace Breakwater.Proxy.FunctionalTests.ZeroTouch;

/// <summary>A test that needs an interpreter of JavaScript: the program <c>node</c>. Without it, it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (!Array.Exists(folders, folder => File.Exists(Path.Combine(folder, "node"))))
        {
            Skip = "The program node is not installed (apt install nodejs): PAC files are not run.";
        }
    }
}
