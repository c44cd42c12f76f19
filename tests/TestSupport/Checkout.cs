namespace Breakwater.TestSupport;

/// <summary>The checkout that the tests were built in: some compare its texts with its code.</summary>
public static class Checkout
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Find();

    /// <summary>The path of a file or folder in it.</summary>
    public static string PathOf(params IEnumerable<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Breakwater.slnx")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Breakwater.slnx above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }
}
