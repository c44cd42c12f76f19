using System.Runtime.CompilerServices;

namespace Breakwater.Proxy.FunctionalTests.TestSupport;

/// <summary>
/// A proxy that was not at rest at the end of its test. It hides the exception that ended the test before, if one did: the newest assertion
/// that failed in this process is told with it.
/// </summary>
internal sealed class NotAtRestException(string held) : Exception($"The proxy still holds {held}.{After()}")
{
    private static volatile string? s_lastFailure;

    [ModuleInitializer]
    internal static void Listen() => AppDomain.CurrentDomain.FirstChanceException += (_, thrown) =>
    {
        if (thrown.Exception.GetType().Namespace == "Xunit.Sdk")
        {
            s_lastFailure = thrown.Exception.Message;
        }
    };

    private static string After() =>
        s_lastFailure is { } failure ? $" An assertion that failed before (of this test or of one beside it): {failure}" : "";
}
